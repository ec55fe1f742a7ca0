import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { relayAbort } from '../../src/common/abort-relay.ts';

describe('an abort that is relayed', () => {
  it('fires with its source, for the same reason', () => {
    const [source, target] = [new AbortController(), new AbortController()];
    relayAbort(source.signal, target);
    expect(target.signal.aborted).toBe(false);
    source.abort('enough');
    expect(target.signal.reason).toBe('enough');
  });

  it('fires at once when its source has fired', () => {
    const target = new AbortController();
    relayAbort(AbortSignal.abort('too late'), target);
    expect(target.signal.reason).toBe('too late');
  });

  it('does not fire after it was let go of, and leaves no listener', () => {
    const [source, target] = [new AbortController(), new AbortController()];
    relayAbort(source.signal, target)();
    expect(getEventListeners(source.signal, 'abort')).toEqual([]);
    source.abort();
    expect(target.signal.aborted).toBe(false);
  });

  it('needs no source', () => {
    const target = new AbortController();
    relayAbort(undefined, target)();
    expect(target.signal.aborted).toBe(false);
  });
});
