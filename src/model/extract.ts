// Which models does this pod use? Runs every extractor over a pod template; labels, annotations and container names
// of the pod never switch one off. Selection by policy happens elsewhere.
import type { Finding } from '../reason.ts';
import { quote, toArray, toRecord, toText } from '../lib/text.ts';
import {
  createExpansionBudget,
  type Container,
  type ExpansionBudget,
  type ExpandedText,
  expandVariables,
  toContainers,
  toEnvironment,
} from './container.ts';
import type { Extraction, ModelReference, ModelSource } from './model-reference.ts';
import type { PodTemplate } from './pod-template.ts';
import { MAX_REFERENCE_CHARS, parseReference, type ShortNames } from './reference.ts';
import { findModelUris, MAX_URI_TEXT_CHARS } from './uri.ts';

interface Sink {
  readonly references: ModelReference[];
  readonly images: ModelReference[];
  readonly findings: Finding[];
  readonly unreadableImages: Finding[];
  readonly shortNames: ShortNames;
  readonly budget: ExpansionBudget;
}

/**
 * Extracts every model use from a pod template.
 * @param shortNames how image volumes and URIs without a registry are read; container images always expand to
 *   Docker Hub, as the kubelet does
 */
export function extractModels(template: PodTemplate, shortNames: ShortNames = 'Deny'): Extraction {
  const sink: Sink = {
    references: [],
    images: [],
    findings: [],
    unreadableImages: [],
    shortNames,
    budget: createExpansionBudget(),
  };
  extractImageVolumes(template, sink);
  for (const container of toContainers(template.spec, template.specPath)) {
    extractContainerImage(container, sink);
    extractUris(container, sink);
  }
  const { references, images, findings, unreadableImages } = sink;
  return { references, images, findings, unreadableImages };
}

// KEP-4639: spec.volumes[].image.reference.
function extractImageVolumes(template: PodTemplate, sink: Sink): void {
  for (const [index, volume] of toArray(template.spec['volumes']).entries()) {
    const { image } = toRecord(volume);
    if (image === undefined || image === null) continue;
    const path = `${template.specPath}.volumes[${index}].image.reference`;
    addReference(toText(toRecord(image)['reference']) ?? '', 'ImageVolume', path, sink);
  }
}

// An image that no policy claims is an ordinary image and is never refused, whatever its name.
function extractContainerImage(container: Container, sink: Sink): void {
  const image = toText(container.fields['image']);
  if (image === undefined) return;
  const result = parseReference(image, 'DockerHub');
  // A digest that we do not read but a node may must not hide the repository: it then counts as no digest.
  const named = result.ok ? result : parseReference(image.split('@', 1)[0] ?? '', 'DockerHub');
  if (!named.ok) {
    const field = `${container.path}.image`;
    const message = `${quote(image)} at ${field} is no image reference: ${named.problem}`;
    sink.unreadableImages.push({ reason: 'ReferenceInvalid', message, field });
  } else
    sink.images.push({
      reference: { ...named.reference, original: image.slice(0, MAX_REFERENCE_CHARS) },
      source: 'ContainerImage',
      fieldPath: `${container.path}.image`,
    });
}

function extractUris(container: Container, sink: Sink): void {
  const environment = toEnvironment(container, sink.budget);
  for (const { path, list } of toCommands(container)) {
    for (const [index, entry] of toArray(list).entries()) {
      const raw = toText(entry) ?? '';
      extractText(expandVariables(raw, environment), raw, `${path}[${index}]`, sink);
    }
  }
  // Every entry is read, also one that a later entry of the same name replaces: which one wins is the kubelet's business.
  for (const { index, raw, expanded } of environment.entries)
    extractText(expanded, raw, `${container.path}.env[${index}].value`, sink);
}

const HOOKS = ['postStart', 'preStop'];
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

// Whatever a container runs. The kubelet expands no variables in hooks: reading them expanded finds more, never less.
function toCommands({ path, fields }: Container): readonly { path: string; list: unknown }[] {
  const lifecycle = toRecord(fields['lifecycle']);
  return [
    ...['command', 'args'].map((name) => ({ path: `${path}.${name}`, list: fields[name] })),
    ...HOOKS.map((hook) => ({
      path: `${path}.lifecycle.${hook}.exec.command`,
      list: toExecCommand(lifecycle[hook]),
    })),
    ...PROBES.map((probe) => ({ path: `${path}.${probe}.exec.command`, list: toExecCommand(fields[probe]) })),
  ];
}

function toExecCommand(handler: unknown): unknown {
  return toRecord(toRecord(handler)['exec'])['command'];
}

function extractText(expanded: ExpandedText, raw: string, path: string, sink: Sink): void {
  const uris = new Set(findModelUris(expanded.text));
  if (uris.size === 0 && !expanded.isCut) return;
  if (!expanded.isComplete || expanded.text.length > MAX_URI_TEXT_CHARS) {
    sink.findings.push(unresolvable(raw, path));
    return;
  }
  for (const uri of uris) {
    if (uri.includes('$')) sink.findings.push(unresolvable(uri, path));
    else addReference(uri, 'URI', path, sink);
  }
}

function addReference(text: string, source: ModelSource, fieldPath: string, sink: Sink): void {
  const result = parseReference(text, sink.shortNames);
  if (result.ok) sink.references.push({ reference: result.reference, source, fieldPath });
  else
    sink.findings.push({
      reason: 'ReferenceInvalid',
      message: `${quote(text)} at ${fieldPath} is no model reference: ${result.problem}`,
      field: fieldPath,
    });
}

function unresolvable(text: string, field: string): Finding {
  return {
    reason: 'UnresolvableReference',
    message: `${quote(text)} at ${field} names a model by a variable that is not in the pod`,
    field,
  };
}
