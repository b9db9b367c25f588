// Which ClusterModelPolicy demands what a ClusterImagePolicy demands? Nothing is loosened on the way: alternatives that
// cannot be written are left out, demands become rules that nothing satisfies, and what cannot be read denies.
import { isDeepStrictEqual } from 'node:util';
import { quote, toArray, toRecord, toText } from '../../lib/text.ts';
import type {
  AttestationSpec,
  AuthoritySpec,
  ClusterModelPolicySpec,
  ModelSelector,
  ValidationSpec,
} from '../types.ts';
import { findUnknown, type Note } from './difference.ts';
import { migrateRules } from './migrate-attestations.ts';
import type { AuthorityWorld } from './authority-world.ts';
import { migrateAuthority, type MigratedAuthority } from './migrate-authority.ts';
import { migrateGlob } from './migrate-glob.ts';
import { toName } from './names.ts';

/** Namespaces that policy-controller is about. */
const NAMESPACE_LABEL = 'policy.sigstore.dev/include';
const KNOWN = ['images', 'authorities', 'policy', 'mode', 'match'];
const POLICY_ROOTS = { typemeta: 'object', metadata: 'object.metadata', spec: 'object.spec' };

/** Translates the spec of a ClusterImagePolicy. */
export function migratePolicy(
  spec: Record<string, unknown>,
  world: AuthorityWorld,
  note: Note,
): ClusterModelPolicySpec {
  note(
    'Same',
    'spec',
    `it is about namespaces labelled ${NAMESPACE_LABEL}=true, as the webhook there is by default: change namespaceSelector if yours is not`,
  );
  const { models, digestRules, isWidened } = migrateImages(toArray(spec['images']), note);
  const matches = toArray(spec['match']);
  for (const [index, match] of matches.entries())
    note(
      'Wider',
      `spec.match[${index}]`,
      `${quote(JSON.stringify(match), 256)}: pods of every kind and label are judged here`,
    );
  const demands = migrateAuthorities(toArray(spec['authorities']), world, note);
  const rules = [...digestRules, ...migrateOwnRules(spec['policy'], note)];
  const denial = findDenial(spec, isPass(demands) && (isWidened || matches.length > 0));
  if (denial !== undefined) note('Denies', 'spec', denial);
  return {
    namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: 'true' } },
    models,
    ...(denial === undefined ? demands : toDenial(denial)),
    ...(rules.length > 0 && { validations: rules }),
    validationActions: [spec['mode'] === 'warn' ? 'Warn' : 'Deny'],
  };
}

function migrateOwnRules(policy: unknown, note: Note): readonly ValidationSpec[] {
  return policy === undefined
    ? []
    : migrateRules(toRecord(policy), POLICY_ROOTS, { field: 'spec.policy', note });
}

// What would be looser than there, and what nobody here understands, denies as a whole.
function findDenial(spec: Record<string, unknown>, admitsMore: boolean): string | undefined {
  const unknown = findUnknown(spec, KNOWN);
  if (unknown.length > 0) return `it has members that are not known: ${quote(unknown.join(', '), 128)}`;
  if (![undefined, '', 'enforce', 'warn'].includes(spec['mode'] as string | undefined))
    return 'its mode is neither enforce nor warn';
  return admitsMore
    ? 'it admits without a signature, and would do so for more than there: write what is meant'
    : undefined;
}

/** The demands of a policy that nothing satisfies. */
export function toDenial(message: string): Demands {
  return {
    authorities: [{ name: 'todo', static: { action: 'Fail', message: `TODO: ${message}`.slice(0, 512) } }],
  };
}

function isPass({ authorities: [first] }: Demands): boolean {
  return first?.static?.action === 'Pass';
}

interface Images {
  readonly models: readonly ModelSelector[];
  readonly digestRules: readonly ValidationSpec[];
  readonly isWidened: boolean;
}

function migrateImages(images: readonly unknown[], note: Note): Images {
  const models = new Map<string, ModelSelector>();
  const rules: ValidationSpec[] = [];
  let isWidened = false;
  for (const [index, image] of images.entries()) {
    const glob = toText(toRecord(image)['glob']) ?? '';
    const field = `spec.images[${index}].glob`;
    const migrated = migrateGlob(glob);
    for (const { effect, message } of migrated.notes) note(effect, field, `${quote(glob)}: ${message}`);
    isWidened ||= migrated.notes.some(({ effect }) => effect === 'Wider');
    for (const one of migrated.globs) models.set(one, { glob: one });
    if (migrated.digest === undefined) continue;
    isWidened = true;
    note(
      'Wider',
      field,
      `globs are about repositories: a rule denies other digests of ${migrated.globs.join(', ')}`,
    );
    rules.push(...migrated.globs.map((one) => toDigestRule(one, migrated.digest ?? '', images)));
  }
  if (models.size > 0) return { models: [...models.values()], digestRules: rules, isWidened };
  note('Denies', 'spec.images', 'nothing that can be selected is named: everything is selected');
  return { models: [{ glob: '**' }], digestRules: rules, isWidened: true };
}

// Beside other globs the rule is about its own repository only.
function toDigestRule(glob: string, digest: string, images: readonly unknown[]): ValidationSpec {
  const [registry = '', ...rest] = glob.split('/');
  const isPinned = `model.reference.digest == '${digest}'`;
  const isIt = `model.reference.registry == '${registry}' && model.reference.repository == '${rest.join('/')}'`;
  return {
    expression: images.length === 1 ? isPinned : `!(${isIt}) || ${isPinned}`,
    message: `only ${digest} is meant`,
  };
}

type Demands = Pick<ClusterModelPolicySpec, 'authorities' | 'minAuthorities' | 'attestations'>;
type Signing = MigratedAuthority & { readonly kind: 'signing' };

function migrateAuthorities(list: readonly unknown[], world: AuthorityWorld, note: Note): Demands {
  const taken = new Set<string>();
  const all = list.map((entry, index) => {
    const record = toRecord(entry);
    const written = toText(record['name']) ?? '';
    const field = `spec.authorities[${index}]`;
    const name = toName(written, `authority-${index}`, taken);
    if (written !== '' && name !== written) note('Same', `${field}.name`, `it is ${quote(name, 63)} here`);
    return migrateAuthority(record, name, world, { field, note });
  });
  if (all.some(({ kind }) => kind === 'pass')) {
    if (all.length > 1)
      note('Same', 'spec.authorities', 'one of them admits everything, so the others are left out');
    return { authorities: [{ name: 'pass', static: { action: 'Pass' } }] };
  }
  const signing = all.filter((one): one is Signing => one.kind === 'signing');
  if (signing.length === 0) return toNoSigner(all, note);
  if (all.some(({ kind }) => kind === 'fail'))
    note('Same', 'spec.authorities', 'one that only denies changes nothing beside others, and is left out');
  return combine(signing, note);
}

function toNoSigner(all: readonly MigratedAuthority[], note: Note): Demands {
  const fail = all.find((one) => one.kind === 'fail');
  if (fail?.kind === 'fail') {
    const { message } = fail;
    return { authorities: [{ name: 'fail', static: { action: 'Fail', ...(message && { message }) } }] };
  }
  note('Denies', 'spec.authorities', 'none of them could be written: everything that is selected is denied');
  return toDenial('no authority could be translated');
}

// There, attestations belong to an authority and take the place of its signature; here they belong to the policy.
function combine(signing: readonly Signing[], note: Note): Demands {
  const plain = signing.filter(({ attestations }) => attestations.length === 0);
  const attesting = signing.filter(({ attestations }) => attestations.length > 0);
  const leaveOut = (left: readonly Signing[]): void => {
    for (const { spec } of left)
      note(
        'Stricter',
        'spec.authorities',
        `${quote(spec.name, 63)} is an alternative with attestations, which a policy here demands of all: it is left out. Write a policy of its own if it is meant instead`,
      );
  };
  if (plain.length > 0) {
    leaveOut(attesting);
    return { authorities: plain.map(({ spec }) => spec) };
  }
  const [first, ...others] = attesting;
  if (first === undefined) return toDenial('no authority could be translated');
  const twins = others.filter(
    (other) => first.attestations.length === 1 && isSame(first.attestations, other.attestations),
  );
  leaveOut(others.filter((other) => !twins.includes(other)));
  const authorities: readonly AuthoritySpec[] = [first, ...twins].map(({ spec }) => spec);
  const names = authorities.map(({ name }) => name);
  return {
    authorities,
    minAuthorities: 0,
    attestations: first.attestations.map((attestation) => ({ ...attestation, authorities: names })),
  };
}

function isSame(left: readonly AttestationSpec[], right: readonly AttestationSpec[]): boolean {
  const bare = (list: readonly AttestationSpec[]): object[] =>
    list.map(({ predicateTypes, validations }) => ({ predicateTypes, validations }));
  return isDeepStrictEqual(bare(left), bare(right));
}
