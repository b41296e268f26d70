/** A stopwatch of this process's own work: what else the machine does meanwhile is not the code's fault. */
export function workTime(): () => number {
  const before = process.cpuUsage()
  /** Milliseconds of processor time since the start. */
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}

/** The least of each figure over `runs` measurements: what the code needs, without what disturbed it. */
export async function leastOf<K extends string>(
  runs: number,
  measure: () => Promise<Record<K, number>>,
): Promise<Record<K, number>> {
  let least = await measure()
  for (let run = 1; run < runs; run++) {
    const next = await measure()
    for (const key of Object.keys(next) as K[]) least = { ...least, [key]: Math.min(least[key], next[key]) }
  }
  return least
}
