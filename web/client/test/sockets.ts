/** Real sockets of `ws`, which a test can cut as a network does: without a farewell. */
import { WebSocket } from "ws";

import { Client, type ClientOptions } from "../src/index.js";

/** A client of the server at `url` whose network can be cut. */
export class CuttableClient extends Client {
  readonly cut: () => void;

  constructor(url: string, token: string, more: Partial<ClientOptions> = {}) {
    let latest: WebSocket | undefined;
    class Cuttable extends WebSocket {
      constructor(address: string) {
        super(address);
        latest = this;
      }
    }
    super({ url, token, WebSocket: Cuttable, ...more });
    this.cut = () => latest?.terminate();
  }
}
