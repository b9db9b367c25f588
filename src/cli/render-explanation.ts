// How is an explanation printed? Indented lines for people; pure. Everything that a workload or registry wrote loses
// its control characters here.
import type {
  FoundForAuthority,
  ResultExplanation,
  SubjectExplanation,
} from '../admission/explain-result.ts';
import type { ActedMessage, Explanation, Step, UseExplanation } from '../admission/explanation.ts';

// Names and values can carry what terminals obey.
const CONTROL = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The lines of an explanation, without ends of line. */
export function renderExplanation(explanation: Explanation): readonly string[] {
  const { references, findings, elsewhere, namespace, warnings } = explanation;
  const lines = [
    ...renderVerdict(explanation),
    ...references.flatMap(renderUse),
    ...(findings.length === 0 ? [] : ['', 'also:', ...findings.flatMap(renderFinding)]),
    ...(elsewhere.length === 0
      ? []
      : [
          '',
          `policies that are not about namespace ${namespace}:`,
          ...elsewhere.map(({ policy, reasons }) => `  ${policy}: ${reasons.join('; ')}`),
        ]),
    ...(warnings.length === 0 ? [] : ['', 'warnings:', ...warnings.map((warning) => `  ${warning}`)]),
    ...renderSteps(explanation.steps),
  ];
  return lines.map((line) => line.replaceAll(/\s*\n\s*/g, ' | ').replaceAll(CONTROL, '\ufffd'));
}

const EXEMPTIONS = {
  operation: 'this operation is never judged',
  status: 'status updates are never judged',
  kind: 'objects of this kind are not judged',
  unchanged: 'no model changed',
} as const;

function renderVerdict({ allowed, exemption, references, findings }: Explanation): readonly string[] {
  if (exemption !== null) return [`admitted: ${EXEMPTIONS[exemption]}`];
  const verdict = allowed ? 'admitted' : 'denied';
  return references.length + findings.length === 0 ? [`${verdict}: it names no model`] : [verdict];
}

function renderUse(use: UseExplanation): readonly string[] {
  const { reference, digest, source, fieldPath, format, policies, notSelected, findings } = use;
  return [
    '',
    `model ${reference}`,
    `  at ${fieldPath} (${source})`,
    ...(digest === null
      ? ['  digest: not known']
      : reference.includes(digest)
        ? []
        : [`  digest: ${digest}`]),
    ...(format === null ? [] : [`  format: ${format}`]),
    ...policies.flatMap(renderPolicy),
    ...notSelected.map(
      ({ policy, reasons }) => `  policy ${policy} does not select it: ${reasons.join('; ')}`,
    ),
    ...findings.flatMap(renderFinding),
  ];
}

function renderPolicy(
  result: ResultExplanation & { readonly selectedBecause: readonly string[] },
): readonly string[] {
  const { policy, passes, actions, selectedBecause, subjects, rules, skippedRules, exceptions } = result;
  const verdict = passes ? 'passes' : `fails, and would ${actions.join(' and ').toLowerCase()}`;
  return [
    `  policy ${policy}: ${verdict}`,
    `    selects it: ${selectedBecause.join('; ')}`,
    ...(subjects.length > 0
      ? subjects.flatMap((subject) => renderSubject(subject, result))
      : result.authorities.flatMap(({ name, isStatic, accepts }) =>
          isStatic
            ? [`    authority ${name}: ${accepts.join('')}`]
            : [
                `    authority ${name}: nothing was verified; it accepts`,
                ...accepts.map((text) => `      ${text}`),
              ],
        )),
    ...rules.flatMap(renderRule),
    ...(skippedRules === 0 || passes ? [] : [`    rules: ${skippedRules} not asked, since it failed before`]),
    ...result.findings.map(({ message }) => `    finding ${message}`),
    ...exceptions.map((text) => `    exception ${text}`),
  ];
}

function renderSubject(
  { child, satisfied, authorities, attestations, problems }: SubjectExplanation,
  { minAuthorities, authorities: accepting }: ResultExplanation,
): readonly string[] {
  return [
    `    ${child === null ? '' : `child ${child}: `}authorities: ${satisfied} satisfied by distinct signers, ${minAuthorities} required`,
    ...authorities.flatMap((found) =>
      renderAuthority(found, accepting.find(({ name }) => name === found.authority)?.accepts ?? []),
    ),
    ...attestations.flatMap(({ name, satisfiedBy, reasons }) => [
      `    attestation ${name}: ${satisfiedBy.length > 0 ? `satisfied by ${satisfiedBy.join(' and ')}` : 'not satisfied'}`,
      ...reasons.map((reason) => `      ${reason}`),
    ]),
    ...problems.map((problem) => `    trouble: ${problem}`),
  ];
}

function renderAuthority(found: FoundForAuthority, accepts: readonly string[]): readonly string[] {
  const { authority, satisfiedBy, reasons } = found;
  if (satisfiedBy.length > 0)
    return [`    authority ${authority}: satisfied by ${satisfiedBy.join(' and ')}`];
  return [
    `    authority ${authority}: not satisfied; it accepts`,
    ...accepts.map((text) => `      ${text}`),
    ...reasons.map((reason) => `      found: ${reason}`),
  ];
}

function renderRule({
  path,
  expression,
  child,
  outcome,
  message,
  values,
}: ResultExplanation['rules'][number]): readonly string[] {
  const where = child === null ? path : `${path} (child ${child})`;
  return [
    `    rule ${where}: ${outcome}${message === null ? '' : `: ${message}`}`,
    `      ${expression}`,
    ...values.map(({ path: read, value }) => `      ${read} = ${value}`),
  ];
}

function renderFinding({ message, actions, policy }: ActedMessage): readonly string[] {
  const does = actions.length === 0 ? 'recorded only' : actions.join(' and ').toLowerCase();
  return [`  finding${policy === null ? '' : ` of policy ${policy}`} (${does}) ${message}`];
}

function renderSteps(steps: readonly Step[]): readonly string[] {
  if (steps.length === 0) return [];
  return [
    '',
    'to be admitted:',
    ...steps.flatMap(({ actor, reason, action, about, accepted }, index) => [
      `  ${index + 1}. ${actor}: ${action} (${reason}${about === '' ? '' : `; ${about}`})`,
      ...accepted.map((text) => `     accepted: ${text}`),
    ]),
  ];
}
