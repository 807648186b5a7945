import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Calls a server as Java's own client does when nothing is set, and says how many calls were lost. */
class Calls {
  public static void main(String[] arguments) throws Exception {
    var base = arguments[0];
    var token = arguments[1];
    var calls = Integer.parseInt(arguments[2]);
    var client = HttpClient.newHttpClient();
    var lost = new AtomicInteger();
    var threads = Executors.newFixedThreadPool(8);
    for (int number = 0; number < calls; number++) {
      var isRead = number % 2 == 0;
      var body = "{\"nick\":\"n" + number + "\"}";
      threads.execute(
          () -> {
            var request =
                HttpRequest.newBuilder(
                        URI.create(base + (isRead ? "/client/user/profile" : "/client/user/user")))
                    .header("Authorization", token)
                    .header("Content-Type", "application/json");
            request = isRead ? request.GET() : request.PUT(BodyPublishers.ofString(body));
            try {
              var answer = client.send(request.build(), BodyHandlers.ofString());
              if (answer.statusCode() != 200) {
                System.err.println(answer.statusCode() + " " + answer.body());
                lost.incrementAndGet();
              }
            } catch (Exception error) {
              System.err.println(error);
              lost.incrementAndGet();
            }
          });
    }
    threads.shutdown();
    threads.awaitTermination(120, TimeUnit.SECONDS);
    System.out.println("lost " + lost.get());
    System.exit(0);
  }
}
