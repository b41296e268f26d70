import { crateFile } from '../support/crate-file.ts'
import type { History } from './history.ts'
import type { KillableServer } from './killable-server.ts'
import {
  type Outcome,
  ownerState,
  publishedState,
  readIndex,
  type State,
  send,
  sendCrate,
} from './registry-client.ts'

/** A kind of change, during which the server is killed; `n` is another number each time. */
export interface ChangeKind {
  readonly title: (typeof CHANGE_TITLES)[number]
  /** What has to be there before. */
  prepare(n: number): Promise<unknown>
  make(n: number): Promise<Outcome>
  state(n: number): Promise<State>
}

export const CHANGE_TITLES = [
  'publish of a new crate',
  'publish of another version',
  'yank',
  'change of owners',
  'removal of a version',
  'removal of a crate',
] as const

/** Every kind of change that the registry knows. */
export function changeKinds(server: KillableServer, history: History): readonly ChangeKind[] {
  return [...publishes(server, history), ...laterChanges(server, history), ...removals(server)]
}

function publishes(server: KillableServer, history: History): readonly ChangeKind[] {
  return [
    {
      title: 'publish of a new crate',
      // The first publish of all does more than others.
      prepare: async (n) => n === 0 && history.publish(crateFile('fresh-ones')),
      make: (n) => history.publish(crateFile(`fresh-${n}`)),
      state: (n) => publishedState(server, `fresh-${n}`, '1.0.0'),
    },
    {
      title: 'publish of another version',
      prepare: async (n) => n === 0 && history.publish(crateFile('more', '0.1.0')),
      make: (n) => history.publish(crateFile('more', `1.0.${n}`)),
      state: (n) => publishedState(server, 'more', `1.0.${n}`),
    },
  ]
}

function laterChanges(server: KillableServer, history: History): readonly ChangeKind[] {
  return [
    {
      title: 'yank',
      prepare: (n) => history.publish(crateFile(`yanked-${n}`)),
      make: (n) => history.yank(`yanked-${n}`, '1.0.0'),
      async state(n) {
        const lines = await readIndex(server, `yanked-${n}`)
        if (typeof lines === 'string') return { problem: lines }
        return lines[0]?.yanked === true ? 'done' : 'undone'
      },
    },
    {
      title: 'change of owners',
      prepare: async (n) => n === 0 && history.publish(crateFile('owned')),
      make: (n) => send(server, 'PUT', '/api/v1/crates/owned/owners', { users: [`user-${n}`] }),
      state: (n) => ownerState(server, 'owned', `user-${n}`),
    },
  ]
}

/** The history knows nothing of these crates, since they are to go. */
function removals(server: KillableServer): readonly ChangeKind[] {
  const removed = (state: State): State => {
    if (typeof state !== 'string') return state
    return state === 'done' ? 'undone' : 'done'
  }
  return [
    {
      title: 'removal of a version',
      async prepare(n) {
        for (const version of ['1.0.0', '1.1.0']) await sendCrate(server, crateFile(`shrunk-${n}`, version))
      },
      make: (n) => send(server, 'DELETE', `/api/v1/crates/shrunk-${n}/1.0.0`),
      state: async (n) => removed(await publishedState(server, `shrunk-${n}`, '1.0.0')),
    },
    {
      title: 'removal of a crate',
      prepare: (n) => sendCrate(server, crateFile(`gone-${n}`)),
      make: (n) => send(server, 'DELETE', `/api/v1/crates/gone-${n}`),
      state: async (n) => removed(await publishedState(server, `gone-${n}`, '1.0.0')),
    },
  ]
}
