// How much has this thread computed? Its processor time, which does not run while others have the processor.

/** Processor time that this thread has used, in microseconds; asking costs about one. */
export function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
