// SPDX-License-Identifier: MIT
//
// Loaded into a process by NODE_OPTIONS: writes down every use of the network that Node's own core begins, whatever
// library it comes through, as lines of the file in NETWORK_WATCH.
const { createHook } = require('node:async_hooks');
const { appendFileSync } = require('node:fs');

const OF_NETWORK = /^(TCP|UDP|TLS|GETADDRINFO|GETNAMEINFO|QUERY|DNS|HTTP)/;

createHook({
  init(_id, type) {
    if (OF_NETWORK.test(type)) appendFileSync(process.env.NETWORK_WATCH, `${type}\n`);
  },
}).enable();
