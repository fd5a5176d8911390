// Verifies deliveries, one JSON object a line: {key, headers, body (base64)}. Prints "genuine" or why not, a line each.
// whsec_ keys by the reference library; whpk_ keys, which it does not know, by Node's own Ed25519.
const { createPublicKey, verify } = require("node:crypto");
const { createInterface } = require("node:readline");
const { Webhook } = require("standardwebhooks");

const PREFIX = Buffer.from("302a300506032b6570032100", "hex"); // SubjectPublicKeyInfo of Ed25519, RFC 8410

function isGenuine({ key, headers, body }) {
  const payload = Buffer.from(body, "base64");
  if (key.startsWith("whsec_")) {
    new Webhook(key).verify(payload.toString("utf8"), headers);
    return;
  }
  const raw = Buffer.from(key.slice("whpk_".length), "base64");
  const public_ = createPublicKey({ key: Buffer.concat([PREFIX, raw]), format: "der", type: "spki" });
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), payload]);
  const found = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
  if (!found.some((one) => verify(null, signed, public_, Buffer.from(one.slice(4), "base64")))) throw new Error("no v1a signature fits");
}

createInterface({ input: process.stdin }).on("line", (line) => {
  try {
    isGenuine(JSON.parse(line));
    console.log("genuine");
  } catch (error) {
    console.log(error.message);
  }
});
