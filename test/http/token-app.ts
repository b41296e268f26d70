import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Host, Logger } from '../../src/host.ts'
import { createAuth } from '../../src/hosts/auth.ts'
import { openHtpasswd } from '../../src/hosts/htpasswd.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { type Answer, type App, type AppSpec, type RequestSpec, startApp } from '../support/app.ts'
import { temporaryFolder } from '../support/cargo.ts'

export const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
export const JOE = basic('joe', 'pw-of-joe')
export const MIA = basic('mia', 'pw-of-mia')

export interface TokenApp {
  readonly app: App
  /** Everything that the plugin logged, as JSON. */
  readonly log: string[]
  /** Who is a user from now on. */
  users(...names: readonly string[]): Promise<void>
  /** Sends a form as a browser does. */
  post(path: string, as: string, fields: Fields, headers?: RequestSpec['headers']): Promise<Answer>
  /** The proof in the forms of a person. */
  seal(as: string): Promise<string>
  /** Makes a token by JSON; its text. */
  token(as: string, fields?: object): Promise<{ readonly id: string; readonly token: string }>
}

type Fields = Readonly<Record<string, string>> | readonly (readonly [string, string])[]

/** An app whose users have passwords and make tokens for themselves. */
export async function startTokenApp(
  t: TestContext,
  { options, host }: AppSpec = {},
  { now = Date.now }: { readonly now?: () => number } = {},
): Promise<TokenApp> {
  const file = join(await temporaryFolder(t), 'htpasswd')
  const users = async (...names: readonly string[]) => {
    const lines = names.map((name) => {
      const hash = createHash('sha1').update(`pw-of-${name}`).digest('base64')
      return `${name}:{SHA}${hash}\n`
    })
    await writeFile(file, lines.join(''))
  }
  await users('joe', 'mia')
  const log: string[] = []
  const hear = (object: object, message: string) => void log.push(JSON.stringify({ ...object, message }))
  const logger: Logger = { debug: hear, info: hear, warn: hear, error: hear }
  const storage = host?.storage ?? memoryStorage()
  const auth: Host['auth'] = createAuth({ store: storage, htpasswd: await openHtpasswd(file), now })
  const app = await startApp(t, { host: { auth, logger, ...host, storage }, ...(options && { options }) })

  const seal = async (as: string) => {
    const { text } = await app.request('/me/tokens', { as })
    return /name="seal" value="([^"]+)"/.exec(text)?.[1] ?? ''
  }
  return {
    app,
    log,
    users,
    seal,
    post: (path, as, fields, headers) =>
      app.request(path, {
        method: 'POST',
        as,
        body: Buffer.from(new URLSearchParams(fields as Record<string, string>).toString()),
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      }),
    async token(as, fields = {}) {
      const body = { api_token: { name: 'ci', ...fields } }
      const answer = await app.request('/api/v1/me/tokens', { method: 'PUT', as, body })
      if (answer.status !== 200) throw new Error(answer.text)
      return (answer.body as { api_token: { id: string; token: string } }).api_token
    },
  }
}
