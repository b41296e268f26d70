import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { S3Options } from '../../src/hosts/s3.ts'
import { freePort } from '../support/free-port.ts'
import { VERSITYGW } from '../support/versitygw.ts'

const BUCKET = 'crates'
const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'a secret of tests' } as const

/** A real S3 server of a test's own, on this machine only. */
export interface S3Server {
  readonly url: string
  readonly bucket: string
  readonly credentials: typeof CREDENTIALS
  /** Options for a part of the bucket that nobody else uses, without self-test; `endpoint`: what stands in between. */
  options(endpoint?: string): S3Options
  /** The same as settings of the bundled server, with the variables that they name; `prefix`: of another server. */
  settings(prefix?: string): S3Settings
  kill(signal: NodeJS.Signals): void
  /** Kills it, waits for that, and removes what it stored. */
  close(): Promise<void>
}

/** Settings of a storage, and what the environment must have for them. */
export interface S3Settings {
  readonly storage: { readonly s3: Readonly<Record<string, unknown>> & { readonly prefix: string } }
  readonly environment: Readonly<Record<string, string>>
}

/** Starts an S3 server with an empty bucket, which keeps it in a folder that it makes in `parent`. */
export async function s3Server(parent = tmpdir()): Promise<S3Server> {
  if (!existsSync(VERSITYGW)) throw new Error('the S3 server is missing: node test/support/prepare.ts')
  const folder = await mkdtemp(join(parent, 's3-'))
  await mkdir(join(folder, BUCKET))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    VERSITYGW,
    ['--port', `127.0.0.1:${port}`, '--keep-alive', '--quiet', 'posix', folder],
    {
      stdio: 'ignore',
      env: { ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId, ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey },
    },
  )
  await untilAnswering(url, child)
  return {
    ...{ url, bucket: BUCKET, credentials: CREDENTIALS },
    options: (endpoint = url) => ({
      ...{ endpoint, bucket: BUCKET, credentials: CREDENTIALS, selfTest: false },
      prefix: `${randomUUID()}/`,
    }),
    settings: (prefix = `${randomUUID()}/`) => ({
      storage: {
        s3: {
          ...{ bucket: BUCKET, endpoint: url, prefix, self_test: false },
          ...{ access_key_id_env: 'S3_ID', secret_access_key_env: 'S3_SECRET' },
        },
      },
      environment: { S3_ID: CREDENTIALS.accessKeyId, S3_SECRET: CREDENTIALS.secretAccessKey },
    }),
    kill: (signal) => void child.kill(signal),
    async close() {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error('the S3 server ended')
    const isUp = await fetch(url).then(
      async (response) => response.arrayBuffer().then(() => true),
      () => false,
    )
    if (isUp) return
    await sleep(50)
  }
  throw new Error('the S3 server does not answer')
}
