import process from 'node:process'
import type { Command } from 'commander'
import { listDead, redeliverDead } from './webhooks.ts'

interface StoreOptions {
  readonly config?: string
  readonly data?: string
}

interface ListOptions extends StoreOptions {
  readonly json?: boolean
}

interface RedeliverOptions extends StoreOptions {
  readonly all?: boolean
}

/** The commands that look after events that a webhook never took; a running server goes on serving. */
export function addWebhooks(parent: Command): void {
  const webhooks = parent.command('webhooks').description('events that a webhook never took: list, redeliver')
  const output = { out: process.stdout, err: process.stderr }

  withStorage(webhooks.command('list-dead'))
    .description('list the events that were given up, and why')
    .option('--json', 'as JSON')
    .action((options: ListOptions) => listDead(sourcesOf(options), { json: options.json ?? false }, output))

  withStorage(webhooks.command('redeliver'))
    .description('send events again; a running server does so within seconds')
    .argument('[id...]', 'ids, as `webhooks list-dead` shows them')
    .option('--all', 'all of them')
    .action((ids: readonly string[], options: RedeliverOptions) =>
      redeliverDead(sourcesOf(options), { ids, all: options.all ?? false }, output),
    )
}

function withStorage(command: Command): Command {
  return command
    .option('--config <file>', 'settings in YAML')
    .option('--data <dir>', 'folder of the registry, default ./registry-data')
}

function sourcesOf({ config: file, data }: StoreOptions) {
  return { file, data, workingDirectory: process.cwd(), environment: process.env }
}
