// Shared by the tests of verdict/ and policy/: a use of a model, policies compiled from short specs, and evidence.
import { parseReference } from '../../src/model/reference.ts';
import type { ModelReference, ModelSource } from '../../src/model/model-reference.ts';
import type { Evidence } from '../../src/evidence/evidence.ts';
import { createCelEngine } from '../../src/policy/cel/engine.ts';
import { createCelMeter } from '../../src/policy/cel/meter.ts';
import type { CompiledTrustRoot } from '../../src/policy/compile-trust-root.ts';
import { compilePolicy, type CompileContext } from '../../src/policy/compile.ts';
import type { CompiledPolicy } from '../../src/policy/compiled.ts';
import type { MaterialData } from '../../src/policy/source-material.ts';
import type { RuleContext } from '../../src/verdict/judge.ts';
import { DIGEST, toBytes, toManifest } from '../signature/support.ts';

export function toUse(text: string, source: ModelSource = 'ImageVolume'): ModelReference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(`${text}: ${parsed.problem}`);
  return { reference: parsed.reference, source, fieldPath: 'spec.volumes[0].image.reference' };
}

export const USE = toUse(`registry.example.com/models/llm@${DIGEST}`);

const engine = createCelEngine();

export interface Named {
  readonly trustRoots?: Readonly<Record<string, CompiledTrustRoot>>;
  readonly material?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function toContext({ trustRoots = {}, material = {} }: Named = {}): CompileContext {
  const data = Object.entries(material).map(([name, values]): [string, MaterialData] => [
    name,
    new Map(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)])),
  ]);
  return {
    engine,
    trustRoots: new Map(Object.entries(trustRoots)),
    material: new Map(data),
    controllerNamespace: 'system',
  };
}

export function compile(spec: unknown, named: Named = {}): CompiledPolicy {
  return compilePolicy({ name: 'prod', spec }, toContext(named));
}

export function toEvidence(
  bundles: readonly object[],
  more: Partial<Pick<Evidence, 'manifest' | 'simpleSignatures' | 'problems'>> = {},
): Evidence {
  return {
    digest: DIGEST,
    manifest: more.manifest ?? toManifest(),
    bundles: bundles.map((bundle, n) => ({
      place: 'referrer',
      referrer: `sha256:${String(n).repeat(64).slice(0, 64)}`,
      bytes: toBytes(bundle),
    })),
    simpleSignatures: more.simpleSignatures ?? [],
    problems: more.problems ?? [],
  };
}

export function toRuleContext(more: Partial<RuleContext> = {}): RuleContext {
  return {
    pod: { metadata: { labels: { team: 'red' } }, spec: {} },
    object: {},
    oldObject: null,
    request: { operation: 'CREATE' },
    namespaceObject: { metadata: { name: 'prod' } },
    now: new Date(),
    meter: createCelMeter(),
    ...more,
  };
}
