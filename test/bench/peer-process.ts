import { join } from 'node:path'
import { freePort, type Server, startProcess } from './process.ts'

/** Starts one of the servers in this folder that we are compared with, over a folder of files. */
export async function startPeer(
  name: 'node' | 'node-workers' | 'koa',
  root: string,
  ...more: readonly string[]
): Promise<Server> {
  const port = await freePort()
  const file = join(import.meta.dirname, `${name}-peer.ts`)
  const url = `http://127.0.0.1:${port}`
  return startProcess(process.execPath, [file, root, String(port), ...more], { url })
}
