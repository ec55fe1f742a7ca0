/**
 * @module Runs in a router's namespace: `node gateway-program.ts OUTER_ADDRESS INNER_ADDRESS`. Answers UPnP on the inner side, and lets
 * nftables do what it was asked for. Prints a JSON line with the open ports after each change.
 */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { promisify } from 'node:util';
import { type OpenPorts, startIgd } from '../network/fake-gateways.ts';

const run = promisify(execFile);
const GROUP = '239.255.255.250';
const [outerAddress = '', innerAddress = ''] = process.argv.slice(2);

const gateway = await startIgd({
  outerAddress,
  listenHost: innerAddress,
  changed: () => forward(gateway.open),
});
const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (message, { address, port }) => {
  const target = /^ST: (\S+)/m.exec(message.toString())?.[1] ?? '';
  if (!target.includes('InternetGatewayDevice')) return;
  const location = `http://${innerAddress}:${gateway.port}/device.xml`;
  socket.send(`HTTP/1.1 200 OK\r\nST: ${target}\r\nLOCATION: ${location}\r\n\r\n`, port, address);
});
socket.bind(1900, () => {
  socket.addMembership(GROUP, innerAddress);
  console.log('ready');
});

async function forward(open: OpenPorts): Promise<void> {
  await run('nft', ['flush', 'chain', 'ip', 'home', 'pre']);
  for (const [outer, { host, port }] of open) {
    const rule = `iifname "wan" tcp dport ${outer} dnat to ${host}:${port}`;
    await run('nft', ['add', 'rule', 'ip', 'home', 'pre', ...rule.split(' ')]);
  }
  console.log(JSON.stringify([...open.keys()]));
}
