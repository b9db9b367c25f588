// The embedded default of `npm start`: a registry with signed samples, the real server, and a tour. Left out of the
// container image, like everything in src/demo.
import { type OptionValues } from '../config.ts';
import { SERVE_OPTIONS } from '../options.ts';
import { UsageError, type CommandSpec } from './arguments.ts';
import type { Output } from './output.ts';

/** The command line of demo. */
export const DEMO: CommandSpec = {
  name: 'demo',
  summary: 'Serves policies/quickstart against an embedded registry of sample models, after a short tour.',
  options: [
    { flag: 'no-tour', description: 'only serve' },
    { flag: 'exit', description: 'end after the tour' },
    ...SERVE_OPTIONS.filter(({ flag }) => flag === 'listen' || flag === 'metrics-listen'),
  ],
};

interface DemoModule {
  readonly runQuickstart: (values: OptionValues, output: Output) => Promise<number>;
}

/** Runs the demo. @throws UsageError where the demo is not part of the installation */
export async function runDemo(
  values: OptionValues,
  _positionals: readonly string[],
  output: Output,
): Promise<number> {
  // Not a literal, so that the build for the image does not follow it.
  const path = '../demo/quickstart.ts';
  let demo: DemoModule;
  try {
    demo = (await import(path)) as DemoModule;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new UsageError('the demo is not part of this installation');
  }
  return demo.runQuickstart(values, output);
}
