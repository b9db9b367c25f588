// How is a finding worded? One line: the reason, the reference, the place in the object, the policy and authority,
// what is wrong, and what to do next. kubectl users see only this.
import { REASONS, type DenialReason, type Finding } from '../reason.ts';
import { boundBytes, MAX_FINDING_BYTES } from '../lib/text.ts';
import type { ModelReference } from '../model/model-reference.ts';

/** Where a finding belongs. */
export interface FindingContext {
  readonly use?: ModelReference;
  readonly policy?: string;
  readonly authority?: string | undefined;
}

// Messages made by rules can carry anything a workload wrote, terminal escapes among it.
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const MAX_SHOWN_REFERENCE_CHARS = 300;

/** Builds a finding with its full message. @param problem one clause, foreign text already escaped */
export function createFinding(reason: DenialReason, problem: string, context: FindingContext = {}): Finding {
  const { use, policy, authority } = context;
  const shown = use?.reference.original.slice(0, MAX_SHOWN_REFERENCE_CHARS);
  const where = [
    use === undefined ? '' : ` ${shown} (${use.fieldPath})`,
    policy === undefined ? '' : ` policy ${policy}`,
    authority === undefined ? '' : ` authority ${authority}`,
  ].join('');
  // Cut first: the pattern's cost is quadratic in runs of white space, and a workload can make them long.
  const oneLine = problem
    .slice(0, MAX_FINDING_BYTES)
    .replaceAll(/\s*\n\s*/g, ' | ')
    .replaceAll(CONTROL, '\ufffd');
  return {
    reason,
    message: boundBytes(
      `${reason}:${where === '' ? '' : `${where}:`} ${oneLine}; ${REASONS[reason].action}`,
      MAX_FINDING_BYTES,
    ),
    ...(use === undefined ? {} : { field: use.fieldPath }),
    ...(policy === undefined ? {} : { policy }),
    ...(authority === undefined ? {} : { authority }),
  };
}
