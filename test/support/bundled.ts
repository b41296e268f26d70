import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'server', 'main.ts')
/** The last thing the first start says, and the only thing later ones do. */
const SAID = /then try `cargo publish/
const SERVES = /serves .*\n/

export interface BundledSpec {
  /** Settings in the environment; default: the storage is the folder `data`. */
  readonly environment?: Readonly<Record<string, string>>
  /** Whether somebody started it on this storage before. */
  readonly again?: boolean
}

/** The bundled server as a process of its own, at a free port; by default at its first start on an empty folder. */
export async function startBundled(
  context: { after(done: () => void): void },
  folder: string,
  { environment, again = false }: BundledSpec = {},
) {
  const data = environment === undefined ? ['--data', join(folder, 'data')] : []
  const args = [MAIN, '--listen', '127.0.0.1:0', ...data, '--no-uplinks']
  const env = { ...process.env, ...environment }
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] })
  context.after(() => void child.kill('SIGKILL'))
  const printed = await readUntil(child.stdout, again ? SERVES : SAID)
  return { child, printed, port: Number(/127\.0\.0\.1:(\d+)/.exec(printed)?.[1]) }
}

async function readUntil(stream: Readable, end: RegExp): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk
    if (end.test(text)) break
  }
  return text
}
