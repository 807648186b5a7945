//! placeholder
#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let begin = std::time::Instant::now();
    let cluster = testbed::Cluster::start(testbed::Plan::new("/work/tgt/testbed/debug/liveloom")).await?;
    println!("{:?} {} {}", begin.elapsed(), cluster.nginx_addr(), cluster.folder().display());
    println!("{:?}", cluster.redis().masters().await?);
    tokio::signal::ctrl_c().await?;
    Ok(())
}
