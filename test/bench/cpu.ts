import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

let ticks: number | undefined

/** Processor time of a process and of all that it started and that still run, in microseconds. */
export function processorTime(pid: number): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  const tree = [pid, ...descendants(pid)]
  return tree.reduce((sum, id) => sum + (ticksOf(id) * 1_000_000) / (ticks ?? Number.NaN), 0)
}

/** From now on: what of the machine's processor time others took than this process and all that it started, 0 to 1. */
export function watchOthers(): () => number {
  const before = machineTicks()
  return () => {
    const now = machineTicks()
    return Math.max(0, (now.others - before.others) / (now.all - before.all))
  }
}

/** Ticks of all processors; those of others are what was neither idle nor ours. */
function machineTicks(): { readonly all: number; readonly others: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const [user = 0, nice = 0, system = 0, idle = 0, waits = 0, irq = 0, softirq = 0, stolen = 0] = line
    .split(/ +/)
    .slice(1)
    .map(Number)
  const busy = user + nice + system + irq + softirq + stolen
  const tree = [process.pid, ...descendants(process.pid)]
  const ours = tree.reduce((sum, pid) => sum + ticksOf(pid, true), 0)
  return { all: busy + idle + waits, others: busy - ours }
}

/** User and system time of a process, perhaps with what its children took that have ended. */
function ticksOf(pid: number, withEnded = false): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name in parentheses may have spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, withEnded ? 15 : 13).reduce((sum, field) => sum + Number(field), 0)
}

function descendants(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return children.flatMap((child) => [child, ...descendants(child)])
}
