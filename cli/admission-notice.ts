/** @module What a person hears while metadata nodes do not let a newcomer in yet: why, and for how long they are asked. */
import type { AdmissionOptions } from '../src/protocol/admission.ts';
import type { Shell } from './shell.ts';

/** Says each reason once: the question is put twice a second. */
export function admissionOptions(shell: Shell): AdmissionOptions {
  let said = '';
  return {
    signal: shell.signal,
    onWait({ reason, remainingMs }) {
      if (reason === said) return;
      said = reason;
      const seconds = Math.ceil(remainingMs / 1000);
      shell.output.warn(
        `Not let in yet, asking again for up to ${seconds} more seconds (ctrl-C gives up). ${reason}`,
      );
    },
  };
}
