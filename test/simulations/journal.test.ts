import { describe, expect, it } from 'vitest';
import { Journal } from '../../simulations/cluster/journal.ts';
import { Trace } from '../../simulations/trace.ts';
import { World } from '../../simulations/world/world.ts';

function open(): Journal {
  return new Journal({ world: new World(), trace: new Trace() });
}

describe('the journal of clients', () => {
  it('calls what a client had begun unknown when it vanishes, and only that', async () => {
    const journal = open();
    const never = new Promise<void>(() => {});
    const cutOff = journal.attempt({ client: 1, what: 'wait' }, () => never);
    const other = journal.attempt({ client: 2, what: 'go on' }, async () => {});
    journal.vanished(1);
    expect((await cutOff).outcome).toBe('unknown');
    expect((await other).outcome).toBe('done');
    const next = await journal.attempt({ client: 1, what: 'go on' }, async () => {});
    expect(next.outcome).toBe('done');
  });

  it('lets a file be missing only when data was lost beyond the policy, and bytes be wrong never', () => {
    const lossy = open();
    lossy.dataLost();
    lossy.cannotGet('/a');
    lossy.check();
    lossy.violate('/a was got with bytes that nobody put');
    expect(() => lossy.check()).toThrow('nobody put');
    const strict = open();
    strict.cannotGet('/a');
    expect(() => strict.check()).toThrow('/a cannot be got');
  });
});
