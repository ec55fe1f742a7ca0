/**
 * @module The one door to the benchmarks: `npm run bench -- SUITE [options of the suite]`.
 *
 * A suite is a program of its own that reads process.argv; a new one is one line here.
 */
const SUITES: Readonly<Record<string, { readonly file: string; readonly says: string }>> = {
  metadata: { file: './metadata.ts', says: 'namespace changes and linearizable reads, beside etcd' },
  failover: { file: './failover.ts', says: 'how long writes stand still when the leader dies or hangs' },
  membership: { file: './membership.ts', says: 'a thousand changes of membership under load' },
  bulk: { file: './bulk.ts', says: 'one big file, put and got' },
  dht: { file: './dht.ts', says: 'the location index: announcements and lookups' },
  heal: { file: './heal.ts', says: 'how soon all copies are back after datanodes died' },
  rpc: { file: './rpc.ts', says: 'calls and a byte channel between two processes' },
  'power-cut': { file: './power-cut.ts', says: 'all processes killed at once, again and again' },
};

const [name = '', ...options] = process.argv.slice(2);
const suite = SUITES[name];
if (suite === undefined) {
  const list = Object.entries(SUITES).map(([each, { says }]) => `  ${each.padEnd(10)} ${says}`);
  console.error(['npm run bench -- SUITE [options], one of', ...list].join('\n'));
  process.exitCode = 2;
} else {
  process.argv.splice(2, process.argv.length, ...options);
  await import(suite.file);
}
