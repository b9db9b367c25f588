// Where do files of a test lie? A directory of its own below the temporary one, removed with the test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Files of one test, each directory removed by {@link ScratchFiles.remove}. */
export class ScratchFiles {
  readonly #directories: string[] = [];

  /** Writes files, by name, into a new directory; returns it. */
  write(files: Readonly<Record<string, string | Buffer>>): string {
    const directory = mkdtempSync(path.join(tmpdir(), 'model-policy-test-'));
    this.#directories.push(directory);
    for (const [name, content] of Object.entries(files)) writeFileSync(path.join(directory, name), content);
    return directory;
  }

  /** Writes a registries file and what it names; returns its path. */
  writeRegistries(registries: readonly object[], files: Readonly<Record<string, string>> = {}): string {
    const directory = this.write({ ...files, 'registries.json': JSON.stringify({ registries }) });
    return path.join(directory, 'registries.json');
  }

  remove(): void {
    for (const directory of this.#directories.splice(0)) rmSync(directory, { recursive: true });
  }
}
