// Loaded into every Node process of a synthesis under test: whoever opens a connection fails, loudly.
const net = require("net");
const dns = require("dns");
const refuse = (what) => () => {
  throw new Error(`the synthesis opened a network connection (${what})`);
};
net.Socket.prototype.connect = refuse("connect");
dns.lookup = refuse("lookup");
dns.resolve = refuse("resolve");
