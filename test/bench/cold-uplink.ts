import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { realCrates } from '../real/real-uplink.ts'
import type { Certificate } from '../support/certificate.ts'
import { generatedWorkspace } from '../support/generated-workspace.ts'
import { serveUplink } from '../support/uplink.ts'

/** What an uplink's process is told at its start. */
export interface ColdUplinkSpec {
  /** The folder of the real workspace; absent: the generated one. */
  readonly folder?: string
  readonly latencyMs: number
  /** Whether index files are packed for those who accept it. */
  readonly packed: boolean
  /** For TLS and HTTP/2. */
  readonly certificate?: Pick<Certificate, 'keyFile' | 'certFile'>
}

/** A static uplink, in a process of its own. */
export interface ColdUplink {
  /** The URL of the index, with its final slash. */
  readonly url: string
  readonly index: string
  /** The paths that were asked for since the last call. */
  takeRequests(): Promise<string[]>
  stop(): Promise<void>
}

/** Starts the process of an uplink. */
export async function startColdUplink(spec: ColdUplinkSpec): Promise<ColdUplink> {
  const child = fork(import.meta.filename, [JSON.stringify(spec)])
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the uplink ended with ${code}`)
  })
  ended.catch(() => {})
  const message = async (): Promise<unknown> => {
    const answer = new Promise((resolve) => child.once('message', resolve))
    return Promise.race([answer, ended])
  }
  const { url, index } = (await message()) as { url: string; index: string }
  return {
    url,
    index,
    async takeRequests() {
      const answer = message()
      child.send('requests')
      return (await answer) as string[]
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended.catch(() => {})
    },
  }
}

/** The process: answers until its parent leaves. */
async function main({ folder, latencyMs, packed, certificate }: ColdUplinkSpec): Promise<void> {
  const crates = folder === undefined ? generatedWorkspace().crates : await realCrates(folder)
  const pair = certificate === undefined ? undefined : await readCertificate(certificate)
  const uplink = await serveUplink({ crates, latencyMs, gzip: packed }, pair)
  // Made at the first look for a `.crate` file: no client shall wait for the table of them.
  const [first] = crates
  if (first !== undefined) uplink.cratePath(first.name, first.version)
  let taken = 0
  process.on('disconnect', () => process.exit())
  process.on('message', () => {
    process.send?.(uplink.requests.slice(taken).map(({ path }) => path))
    taken = uplink.requests.length
  })
  process.send?.({ url: uplink.url, index: uplink.index })
}

async function readCertificate({ keyFile, certFile }: Pick<Certificate, 'keyFile' | 'certFile'>) {
  return { key: await readFile(keyFile), cert: await readFile(certFile), keyFile, certFile }
}

const [, file, argument] = process.argv
if (file === import.meta.filename && argument !== undefined) await main(JSON.parse(argument))
