// Does the tree keep its own rules? Imports point down the table of docs/architecture.md, pure folders stay pure.
import assert from 'node:assert/strict';
import { readSourceFiles, toLayer } from './source-files.ts';

/** From top to bottom; a file may import its own layer and those below. */
const LAYERS = [
  ['main.ts', 'cli'],
  ['options.ts', 'file-options.ts'],
  ['config.ts'],
  ['server'],
  ['admission'],
  ['telemetry'],
  ['proving'],
  ['verdict'],
  ['policy'],
  ['signature'],
  ['evidence'],
  ['files'],
  ['registry'],
  ['trust'],
  ['kubernetes'],
  ['model'],
  ['reason.ts'],
  ['lib'],
] as const;
/** Only these may import a library that must have one door. */
const DOORS: Readonly<Record<string, RegExp>> = {
  'cel-js': /^policy\/cel\//,
  '@sigstore/verify': /^signature\/witness\.ts$/,
  '@kubernetes/client-node': /^kubernetes\//,
  express: /^server\//,
  'tuf-js': /^trust\/tuf-/,
  '@tufjs/models': /^trust\/tuf-/,
  undici: /^(?:registry\/(?:transport|pools)\.ts|cli\/admit\.ts|demo\/)/,
};
const PURE = /^(?:model|signature|verdict|policy|reason\.ts)(?:\/|$)/;
const EFFECTS =
  /^(?:node:(?:fs|net|http|https|tls|dns|child_process|worker_threads|timers)|undici|express|pino|prom-client)/;

const files = readSourceFiles();
const rankOf = (layer: string): number =>
  LAYERS.findIndex((names) => (names as readonly string[]).includes(layer));

describe('src', () => {
  it('has only folders that the table of layers names', () => {
    const unknown = [...new Set(files.map(({ path }) => toLayer(path)))].filter(
      (layer) => layer !== 'demo' && rankOf(layer) === -1,
    );
    assert.deepEqual(unknown, []);
  });

  it('imports downwards only', () => {
    const upward = files
      .filter(({ path }) => toLayer(path) !== 'demo')
      .flatMap(({ path, imports }) =>
        imports
          .filter(({ target }) => target !== undefined && rankOf(toLayer(target)) < rankOf(toLayer(path)))
          .map(({ target }) => `${path} → ${target ?? ''}`),
      );
    assert.deepEqual(upward, []);
  });

  it('imports the demo from nowhere but cli/demo.ts, which loads it when asked', () => {
    const importers = files.filter(
      ({ path, imports }) =>
        toLayer(path) !== 'demo' &&
        imports.some(({ target }) => target !== undefined && toLayer(target) === 'demo'),
    );
    assert.deepEqual(importers, []);
    const loaders = files.filter(({ path, text }) => toLayer(path) !== 'demo' && text.includes('../demo/'));
    assert.deepEqual(
      loaders.map(({ path }) => path),
      ['cli/demo.ts'],
    );
  });

  for (const [library, door] of Object.entries(DOORS)) {
    it(`imports ${library} through its one door`, () => {
      const others = files.filter(
        ({ path, imports }) => imports.some(({ specifier }) => specifier === library) && !door.test(path),
      );
      assert.deepEqual(
        others.map(({ path }) => path),
        [],
      );
    });
  }

  it('keeps pure folders free of async and of effects', () => {
    const impure = files
      .filter(({ path }) => PURE.test(path))
      .filter(
        ({ text, imports }) =>
          /\basync\b|\bawait\b|\bPromise\b|\bsetTimeout\b|\bDate\.now\(|\bnew Date\(\)|\bprocess\.(?!versions)/.test(
            text.replaceAll(/\/\/.*|\/\*[^]*?\*\/|async: false|'async'/g, ''),
          ) || imports.some(({ specifier, isTypeOnly }) => !isTypeOnly && EFFECTS.test(specifier)),
      );
    assert.deepEqual(
      impure.map(({ path }) => path),
      [],
    );
  });

  // kubernetes/client.ts asks whether it runs in a cluster: whoever is a pod is told by its environment.
  it('touches the process only in its composition roots', () => {
    const touching = files
      .filter(({ path }) => !/^(?:main\.ts|cli\/|demo\/|kubernetes\/client\.ts)/.test(path))
      .filter(({ text }) => /\bprocess\.(?:env|exit|argv|on|once|stdout|stderr|kill)\b/.test(text));
    assert.deepEqual(
      touching.map(({ path }) => path),
      [],
    );
  });

  it('opens every file with the question it answers', () => {
    const silent = files.filter(({ text }) => !/^\/\/ \S/.test(text));
    assert.deepEqual(
      silent.map(({ path }) => path),
      [],
    );
  });
});
