// The server as a command: start, say so in one line, stop when asked.
import { type OptionValues } from '../config.ts';
import { SERVE_OPTIONS } from '../options.ts';
import { ListenError } from '../server/listener.ts';
import { createLogger } from '../telemetry/logger.ts';
import { textOf, UsageError, type CommandSpec } from './arguments.ts';
import type { Output } from './output.ts';
import { startService, type Service } from './service.ts';

/** The command line of serve. */
export const SERVE: CommandSpec = {
  name: 'serve',
  summary: 'Serves the admission webhook. With --policies standalone, else from the cluster.',
  options: SERVE_OPTIONS,
};

/** Runs serve until SIGTERM or SIGINT. @throws UsageError */
export async function runServe(
  values: OptionValues,
  _positionals: readonly string[],
  output: Output,
): Promise<number> {
  const service = await startServiceOrExplain(values);
  void service.synced.then(() => output.note(toReadyLine(service, textOf(values, 'ca-out'))));
  await waitForStop();
  await service.stop();
  return 0;
}

/** Starts the service; a taken port is the user's to solve. @throws UsageError */
export async function startServiceOrExplain(values: OptionValues): Promise<Service> {
  try {
    return await startService(values, createLogger(process.env['MODEL_POLICY_LOG_LEVEL'] ?? 'info'));
  } catch (error) {
    if (error instanceof ListenError) throw new UsageError(error.message);
    throw error;
  }
}

/** The one line that says where the service is. */
export function toReadyLine(service: Service, caPath: string | undefined): string {
  const certificate =
    service.ca === undefined
      ? `certificate from ${service.certificateOrigin}`
      : `CA ${caPath ?? 'not written: use --ca-out'}`;
  return `ready: https://${service.address}/validate, metrics http://${service.metricsAddress}/metrics, ${service.policyCount()} policies, ${certificate}`;
}

/** Resolves at the first SIGTERM or SIGINT; a second one ends the process at once. */
export function waitForStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
}
