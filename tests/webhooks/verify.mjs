// Verifies one call with the published library of Standard Webhooks.
//
//   node verify.mjs <folder of node_modules> <secret> [raw]
//
// Standard input: {"headers": {...}, "body": "..."}. Prints "verified", or fails.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, secret, format] = process.argv.slice(2);
const { Webhook } = createRequire(join(folder, "node_modules/"))("standardwebhooks");
const { headers, body } = JSON.parse(readFileSync(0, "utf8"));
const webhook = format === "raw" ? new Webhook(secret, { format: "raw" }) : new Webhook(secret);
const verified = webhook.verify(body, headers);
if (JSON.stringify(verified) !== JSON.stringify(JSON.parse(body))) throw new Error("another body");
console.log("verified");
