// Which model URIs stand in what the containers of a pod run? Every command, argument, hook, probe and variable.
// Best effort by nature: a program can build a name that no reader of its manifest sees.
import { toArray, toRecord, toText } from '../../lib/text.ts';
import { type Container, type ExpandedText, expandVariables } from '../container.ts';
import type { ContainerView, PodView } from '../pod-view.ts';
import { type Sighting, unresolvable } from '../sighting.ts';
import { findModelUris, MAX_URI_TEXT_CHARS } from '../uri.ts';

const HOOKS = ['postStart', 'preStop'];
const PROBES = ['startupProbe', 'livenessProbe', 'readinessProbe'];

/** Every model URI of every container. */
export function seeModelUris({ containers }: PodView): readonly Sighting[] {
  return containers.flatMap((container) => [...seeCommands(container), ...seeVariables(container)]);
}

function seeCommands(container: ContainerView): readonly Sighting[] {
  return toCommands(container).flatMap(({ path, list }) =>
    toArray(list).flatMap((entry, index) => {
      const raw = toText(entry) ?? '';
      return seeText(expandVariables(raw, container.environment), raw, `${path}[${index}]`);
    }),
  );
}

// Every entry is read, also one that a later entry of the same name replaces: which one wins is the kubelet's business.
function seeVariables({ path, environment }: ContainerView): readonly Sighting[] {
  return environment.entries.flatMap(({ index, raw, expanded }) =>
    seeText(expanded, raw, `${path}.env[${index}].value`),
  );
}

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

function seeText(expanded: ExpandedText, raw: string, fieldPath: string): readonly Sighting[] {
  const uris = [...new Set(findModelUris(expanded.text))];
  if (uris.length === 0 && !expanded.isCut) return [];
  if (!expanded.isComplete || expanded.text.length > MAX_URI_TEXT_CHARS)
    return [unresolvable(raw, 'URI', fieldPath)];
  return uris.map((uri) =>
    uri.includes('$') ? unresolvable(uri, 'URI', fieldPath) : { text: uri, source: 'URI', fieldPath },
  );
}
