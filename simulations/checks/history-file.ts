/** @module A file with a history in one of the formats known here; the content tells which. */
import { isEdnHistory, parseEdnHistory } from './edn-history.ts';
import { malformed } from './errors.ts';
import { historyModelOf, parseHoldfastHistory } from './holdfast-history.ts';
import { isJepsenLog, parseJepsenLog } from './jepsen-log.ts';
import { keyValueModel } from './key-value-model.ts';
import { checkHistory, DEFAULT_OPTIONS, type Verdict } from './linearizability.ts';
import type { Model } from './model.ts';
import type { Operation } from './operation.ts';
import { type NamespaceCall, namespaceModel } from './namespace-model.ts';
import { registerModel } from './register-model.ts';
import type { RegisterCall } from './register-call.ts';
import type { SearchOptions } from './search.ts';

export type HistoryFormat = 'jepsen-log' | 'edn' | 'holdfast';

/** What the registers of our own histories begin with. */
const FIRST_VALUE = 0;

export interface FileVerdict {
  readonly format: HistoryFormat;
  readonly operations: number;
  readonly isLinearizable: boolean;
  readonly violation?: FileViolation;
}

/** What a picture of it needs, whatever the model. */
export interface FileViolation {
  readonly model: Model<unknown, unknown>;
  readonly violation: NonNullable<Verdict<unknown>['violation']>;
}

type TimeLimit = Pick<SearchOptions, 'isTimeUp'>;

/** Errors: CHECK_MALFORMED_HISTORY with the line, CHECK_UNDECIDED. */
export function checkHistoryText(text: string, limits: TimeLimit = {}): FileVerdict {
  const lines = text.split(/\r?\n/);
  const first = lines.findIndex((line) => line.trim() !== '');
  const opening = lines[first] ?? '';
  const model = first === 0 ? historyModelOf(opening) : undefined;
  if (model === 'register')
    return judge(
      'holdfast',
      registerModel(FIRST_VALUE),
      parseHoldfastHistory<RegisterCall>(lines, model),
      limits,
    );
  if (model === 'namespace')
    return judge('holdfast', namespaceModel, parseHoldfastHistory<NamespaceCall>(lines, model), limits);
  if (isJepsenLog(opening)) return judge('jepsen-log', registerModel(), parseJepsenLog(lines), limits);
  if (isEdnHistory(opening)) return judgeEdn(lines, limits);
  throw malformed(
    Math.max(first, 0) + 1,
    opening === ''
      ? 'the file is empty'
      : 'neither a log of Jepsen nor maps of EDN nor a history of Holdfast',
  );
}

function judgeEdn(lines: readonly string[], limits: TimeLimit): FileVerdict {
  const { model, operations } = parseEdnHistory(lines);
  return model === 'register'
    ? judge('edn', registerModel(), operations, limits)
    : judge('edn', keyValueModel, operations, limits);
}

function judge<State, Call>(
  format: HistoryFormat,
  model: Model<State, Call>,
  operations: readonly Operation<Call>[],
  limits: TimeLimit,
): FileVerdict {
  const { isLinearizable, violation } = checkHistory(model, operations, { ...DEFAULT_OPTIONS, ...limits });
  const erased = { model, violation } as unknown as FileViolation;
  return {
    format,
    operations: operations.length,
    isLinearizable,
    ...(violation !== undefined && { violation: erased }),
  };
}
