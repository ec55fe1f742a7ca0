import { describe, expect, it } from 'vitest';
import { type CorkableSocket, gatherWrites } from '../../src/network/gathered-writes.ts';

class Connection {
  readonly events: string[] = [];
  readonly socket: CorkableSocket = {
    cork: () => void this.events.push('cork'),
    uncork: () => void this.events.push('uncork'),
  };

  sendData(data: string): string {
    this.events.push(data);
    return `sent ${data}`;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe('gathering writes', () => {
  it('lets all pieces of one turn go together, those of promises too, and each turn by itself', async () => {
    const connection = new Connection();
    gatherWrites(connection);
    expect(connection.sendData('a')).toBe('sent a');
    await Promise.resolve();
    connection.sendData('b');
    await turn();
    connection.sendData('c');
    await turn();
    expect(connection.events).toEqual(['cork', 'a', 'b', 'uncork', 'cork', 'c', 'uncork']);
  });

  it('leaves a connection without a socket as it is', () => {
    const sendData = (): string => 'sent';
    const connection = { sendData };
    gatherWrites(connection);
    expect(connection.sendData).toBe(sendData);
  });
});
