import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'server', 'main.ts')
/** The last thing the first start says. */
const SAID = /then try `cargo publish/

/** The bundled server as a process of its own, at a free port, at its first start on an empty folder. */
export async function startBundled(context: { after(done: () => void): void }, folder: string) {
  const args = [MAIN, '--listen', '127.0.0.1:0', '--data', join(folder, 'data'), '--no-uplinks']
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  context.after(() => void child.kill('SIGKILL'))
  const printed = await readUntil(child.stdout, SAID)
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
