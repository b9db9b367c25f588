// Which source files are there, and what do they import? Read from the tree for the meta-tests.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A document's text with runs of spaces folded, because the formatter aligns tables. */
export function readDocument(...path: readonly string[]): string {
  return readFileSync(join(ROOT, ...path), 'utf8').replaceAll(/ +/g, ' ');
}

/** One import of a source file. */
export interface Import {
  readonly specifier: string;
  /** Path below src for relative imports. */
  readonly target: string | undefined;
  readonly isTypeOnly: boolean;
}

/** One file below src. */
export interface SourceFile {
  /** Path below src, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Every TypeScript file below src. */
export function readSourceFiles(): readonly SourceFile[] {
  return globSync('src/**/*.ts', { cwd: ROOT }).map((name) => {
    const path = relative('src', name).replaceAll('\\', '/');
    const text = readFileSync(join(ROOT, name), 'utf8');
    return { path, text, imports: readImports(path, text) };
  });
}

function readImports(path: string, text: string): readonly Import[] {
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+'([^']+)';|^import\s+'([^']+)';/gms,
  );
  return [...statements].map(([, type, from, bare]) => {
    const specifier = from ?? bare ?? '';
    const target = specifier.startsWith('.')
      ? relative('/src', resolve('/src', dirname(path), specifier)).replaceAll('\\', '/')
      : undefined;
    return { specifier, target, isTypeOnly: type !== undefined };
  });
}

/** The folder that answers a file's question: its first path segment, or the file itself at the top. */
export function toLayer(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? path : path.slice(0, slash);
}
