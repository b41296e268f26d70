import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'

/** Calls that change a file or a folder, or tell somebody something. */
const CALLS = [
  ...['write', 'pwrite64', 'writev', 'pwritev', 'ftruncate', 'fsync', 'fdatasync', 'sendto', 'sendmsg'],
  ...[
    'link',
    'linkat',
    'rename',
    'renameat',
    'renameat2',
    'unlink',
    'unlinkat',
    'mkdir',
    'mkdirat',
    'openat',
  ],
] as const

/** One call of a thread: the `nth` of its name since tracing began. */
export interface Call {
  readonly name: string
  readonly nth: number
  /** As strace prints it. */
  readonly text: string
}

/** What happens at a call instead of it. */
export type Injection = 'signal=KILL' | 'error=EIO'

/** A thread that is watched. */
export interface Tracing {
  /** Lets the thread go on unwatched; what it did until then. */
  stop(): Promise<readonly Call[]>
}

/** The thread of a process that works on its files: the process has one only, by `UV_THREADPOOL_SIZE`. */
export function fileThreadOf(pid: number): number {
  const names = (id: string) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8')
  const workers = readdirSync(`/proc/${pid}/task`).filter((id) => names(id).startsWith('libuv-worker'))
  const [only] = workers
  if (only === undefined || workers.length > 1) throw new Error(`${workers.length} threads work on files`)
  return Number(only)
}

/** Follows one thread from now on; at `at`, something else happens than the call. */
export async function trace(
  thread: number,
  at?: { readonly call: Call; readonly injection: Injection },
): Promise<Tracing> {
  const inject = at === undefined ? [] : ['-e', `inject=${at.call.name}:${at.injection}:when=${at.call.nth}`]
  const { stop } = await attach(thread, ['-e', `trace=${CALLS.join(',')}`, '-e', 'signal=none', ...inject])
  return { stop: async () => callsIn(await stop()) }
}

/** strace with these arguments, attached to a thread; what it has printed is known when it has let it go. */
async function attach(thread: number, rules: readonly string[]): Promise<{ stop(): Promise<string> }> {
  const args = ['-y', '-s', '0', ...rules, '-p', String(thread)]
  const child = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  let text = ''
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (/Process \d+ attached/.test(text)) resolve()
    })
    child.once('exit', () => reject(new Error(`strace: ${text}`)))
  })
  return {
    async stop() {
      release(child)
      await ended
      return text
    },
  }
}

/** Lets every call of these names fail in a thread, until the function that it gives is called. */
export async function failing(
  thread: number,
  calls: readonly string[],
  error: string,
): Promise<() => Promise<void>> {
  const names = calls.join(',')
  const rules = ['-e', `trace=${names}`, '-e', 'signal=none', '-e', `inject=${names}:error=${error}`]
  const { stop } = await attach(thread, rules)
  return async () => void (await stop())
}

/** Whether a call changes a file below `folder`, or sends something to a client. */
export function matters({ name, text }: Call, folder: string): boolean {
  if (/<(socket|TCP)/.test(text)) return true
  if (!text.includes(folder) || text.includes(' = -1 ')) return false
  return name !== 'openat' || text.includes('O_CREAT')
}

/** At an interrupt strace lets its process go. */
function release(child: ChildProcess): void {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT')
}

function callsIn(text: string): readonly Call[] {
  const counts = new Map<string, number>()
  return text.split('\n').flatMap((line) => {
    const name = /^(\w+)\(/.exec(line)?.[1]
    if (name === undefined) return []
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    return [{ name, nth, text: line }]
  })
}
