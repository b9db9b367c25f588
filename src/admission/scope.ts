// What must be judged about this request, if anything? Kinds, exemptions and unchanged updates; pure.
import type { Finding } from '../reason.ts';
import { extractModels, type ExtractOptions } from '../model/extract.ts';
import type { Extraction } from '../model/model-reference.ts';
import { isWorkloadKind, toWorkload, type PodTemplate } from '../model/pod-template.ts';
import { createFinding } from '../verdict/finding-message.ts';
import type { Exemption } from '../verdict/decision.ts';
import { findExemption, isUnchanged } from './exempt.ts';
import type { AdmissionRequest } from './review.ts';

/** What workload kinds get for what would deny their pods. */
export type WorkloadMode = 'Warn' | 'Deny' | 'Off';

/** Nothing to judge, a request that cannot be judged, or pods with their models. */
export type Scope =
  | { readonly kind: 'exempt'; readonly exemption: Exemption }
  | { readonly kind: 'refused'; readonly finding: Finding }
  | {
      readonly kind: 'judged';
      /** False for kinds whose pods are judged again when they are created. */
      readonly isPod: boolean;
      readonly templates: readonly PodTemplate[];
      readonly extraction: Extraction;
      /** What the object used before an update; undefined for other operations. */
      readonly before: Extraction | undefined;
    };

/** The settings that scope depends on. */
export interface ScopeOptions extends ExtractOptions {
  readonly workloads: WorkloadMode;
}

/** Finds out what a request asks. */
export function findScope(request: AdmissionRequest, options: ScopeOptions): Scope {
  const exemption = findExemption(request);
  if (exemption !== undefined) return { kind: 'exempt', exemption };
  const { group, kind } = request.kind;
  if (!isWorkloadKind(group, kind)) return { kind: 'exempt', exemption: 'kind' };
  const workload = toWorkload(group, kind, request.object);
  if (workload === undefined)
    return { kind: 'refused', finding: createFinding('RequestMalformed', `the ${kind} has no pod spec`) };
  const isPod = kind === 'Pod';
  if (!isPod && options.workloads === 'Off') return { kind: 'exempt', exemption: 'kind' };
  const extraction = extractModels(workload, options);
  const before = request.operation === 'UPDATE' ? extractOld(request, options) : undefined;
  if (before !== undefined && isUnchanged(before, extraction))
    return { kind: 'exempt', exemption: 'unchanged' };
  return { kind: 'judged', isPod, templates: workload.templates, extraction, before };
}

function extractOld(request: AdmissionRequest, options: ExtractOptions): Extraction | undefined {
  const old = toWorkload(request.kind.group, request.kind.kind, request.oldObject);
  // An update without a readable old object is judged like a new one.
  return old === undefined ? undefined : extractModels(old, options);
}
