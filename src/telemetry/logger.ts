// Where do log lines go? JSON to standard error: standard output belongs to answers.
import { destination, pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

/** Creates the process's logger. @param level pino level, default `info`; `silent` for tests */
export function createLogger(
  level = 'info',
  stream: DestinationStream = destination({ fd: 2, sync: false }),
): Logger {
  return pino(
    { level, base: {}, timestamp: () => `,"time":"${new Date().toISOString()}"`, messageKey: 'message' },
    stream,
  );
}
