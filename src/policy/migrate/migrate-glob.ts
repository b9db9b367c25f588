// Which of our globs select what a glob of policy-controller selects? Theirs run over `repository@sha256:…` of the whole
// reference, with `*` for anything but a slash and `**` for anything; ours over `registry/repository`, by segments.
import type { Effect } from './difference.ts';

/** What a glob becomes. */
export interface MigratedGlob {
  /** Together they select what it selects; empty: nothing can be selected. */
  readonly globs: readonly string[];
  /** The one digest that was meant. */
  readonly digest?: string;
  readonly notes: readonly { readonly effect: Effect; readonly message: string }[];
}

const ALLOWED = /^[a-zA-Z0-9\-_:/*.@]+$/;
const FULL_DIGEST = /^sha256:[0-9a-f]{64}$/;
const ANY_DIGEST = /^(?:sha256:)?\*+$/;
const SEGMENT = /^[a-z0-9._*-]+$/;
/** Globs that one may become: each `**` inside a segment doubles them. */
const MAX_GLOBS = 16;

const EVERYTHING = (message: string): MigratedGlob => ({
  globs: ['**'],
  notes: [{ effect: 'Wider', message }],
});
const NOTHING = (message: string): MigratedGlob => ({ globs: [], notes: [{ effect: 'Denies', message }] });

const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ['*', 'index.docker.io/library/*'],
  ['*/*', 'index.docker.io/*/*'],
]);

/** Translates a glob. */
export function migrateGlob(glob: string): MigratedGlob {
  if (!ALLOWED.test(glob)) return NOTHING('policy-controller refuses this glob');
  if (/^\*{2,}$/.test(glob)) return { globs: ['**'], notes: [] };
  const [name = '', digest] = (SHORT_FORMS.get(glob) ?? glob).replaceAll(/\*{2,}/g, '**').split('@');
  const { path, notes } = toPath(name, digest);
  const [registry = ''] = path.split('/');
  if (registry.includes('*'))
    return EVERYTHING(
      'its registry is a pattern, which cannot be written here: every image is selected. Write the registries that are meant',
    );
  if (!isHost(registry))
    notes.push({
      effect: 'Wider',
      message: 'it names no registry, and selects nothing there; here Docker Hub is meant',
    });
  const globs = toGlobs(path);
  if (globs.length === 0)
    return NOTHING('it selects nothing there: repositories have no upper case, and no empty parts');
  if (globs.length > MAX_GLOBS)
    return EVERYTHING(`it would become more than ${MAX_GLOBS} globs: every image is selected`);
  return { globs, notes, ...toWholeDigest(digest) };
}

function toWholeDigest(digest = ''): Pick<MigratedGlob, 'digest'> {
  return FULL_DIGEST.test(digest) ? { digest } : {};
}

function toGlobs(path: string): readonly string[] {
  const [host = '', ...segments] = (isHost(path.split('/')[0] ?? '') ? path : toHubPath(path)).split('/');
  if (segments.length === 0 || !segments.every((segment) => SEGMENT.test(segment))) return [];
  const registry = host === 'index.docker.io' ? 'docker.io' : host;
  return expand(segments).map((parts) => [registry, ...parts].join('/'));
}

function toHubPath(path: string): string {
  return path.includes('/') ? `docker.io/${path}` : `docker.io/library/${path}`;
}

// What stands behind the repository is a digest in a cluster, never a tag.
function toPath(
  name: string,
  digest: string | undefined,
): { path: string; notes: { effect: Effect; message: string }[] } {
  if (digest !== undefined) {
    const isWhole = FULL_DIGEST.test(digest) || ANY_DIGEST.test(digest);
    const message = 'part of a digest cannot be asked for: every digest of the repository is selected';
    return { path: name, notes: isWhole ? [] : [{ effect: 'Wider', message }] };
  }
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  if (colon > 0 && name.includes('/'))
    return {
      path: name.slice(0, colon),
      notes: [
        {
          effect: 'Wider',
          message:
            'tags select nothing in a cluster there, since images are resolved first; here the repository is selected',
        },
      ],
    };
  if (name.endsWith('*')) return { path: name, notes: [] };
  return {
    path: name,
    notes: [
      {
        effect: 'Wider',
        message:
          'without * at its end it selects nothing in a cluster there, since a digest follows; here the repository is selected',
      },
    ],
  };
}

function isHost(text: string): boolean {
  return text.includes('.') || text.includes(':') || text === 'localhost';
}

// `**` inside a segment stands for any text, slashes and all: with none of them, or with some.
function expand(segments: readonly string[]): readonly (readonly string[])[] {
  let all: readonly (readonly string[])[] = [[]];
  for (const [index, segment] of segments.entries()) {
    const ways = expandSegment(segment, index === segments.length - 1);
    all = all.flatMap((before) => ways.map((way) => [...before, ...way]));
    if (all.length > MAX_GLOBS) return all;
  }
  return all;
}

function expandSegment(segment: string, isLast: boolean): readonly (readonly string[])[] {
  // In between, theirs stands for one segment at least; ours for any number.
  if (segment === '**') return [isLast ? ['**'] : ['*', '**']];
  const at = segment.indexOf('**');
  if (at === -1) return [[segment]];
  const before = segment.slice(0, at);
  const after = segment.slice(at + 2);
  if (after === '') return isLast ? [[`${before}*`], [`${before}*`, '**']] : [[`${before}*`, '**']];
  return expandSegment(after, isLast).flatMap(([first = '', ...rest]) => {
    const tail = first.startsWith('*') ? first : `*${first}`;
    if (before === '') return [['**', tail, ...rest]];
    return [
      [`${before}${tail}`, ...rest],
      [`${before}*`, '**', tail, ...rest],
    ];
  });
}
