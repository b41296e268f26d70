import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { indexPath } from '../../src/protocol/name.ts'

/** How a publish ended. */
export interface Outcome {
  readonly version: string
  readonly status: number
  readonly text: string
}

/** A registry in a process of its own. */
export interface Replica {
  readonly url: string
  readonly process: ChildProcess
  /** Publishes all at once; tells each answer as it comes. */
  publish(
    name: string,
    versions: readonly string[],
    onAnswer?: (outcome: Outcome) => void,
  ): Promise<Outcome[]>
  index(name: string): Promise<{ vers: string; cksum: string }[]>
}

/** Starts a replica on a folder, or on a bucket whose options are JSON. */
export async function replica(t: TestContext, place: string): Promise<Replica> {
  const child = fork(join(import.meta.dirname, 'publishing-process.ts'), [place])
  t.after(() => child.kill('SIGKILL'))
  const [{ url }] = (await once(child, 'message')) as [{ url: string }]
  return {
    url,
    process: child,
    publish(name, versions, onAnswer = () => {}) {
      const outcomes: Outcome[] = []
      const { promise, resolve } = Promise.withResolvers<Outcome[]>()
      child.on('message', (message: Outcome | { done: true }) => {
        if ('done' in message) return resolve(outcomes)
        outcomes.push(message)
        onAnswer(message)
      })
      child.once('exit', () => resolve(outcomes))
      child.send({ name, versions })
      return promise
    },
    async index(name) {
      const text = await (await fetch(`${url}/${indexPath(name)}`)).text()
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    },
  }
}
