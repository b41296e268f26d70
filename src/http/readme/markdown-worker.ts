import { parentPort } from 'node:worker_threads'
import { renderMarkdown } from './markdown.ts'

/** What the thread is asked, one at a time. */
export interface MarkdownJob {
  readonly text: string
  readonly base: string | undefined
}

/** What it answers; without markup it could not be done. The first message, which answers nothing, says that it can begin. */
export interface MarkdownAnswer {
  readonly markup?: string
  readonly problem?: string
}

const answer = (message: MarkdownAnswer) => parentPort?.postMessage(message)

parentPort?.on('message', ({ text, base }: MarkdownJob) => {
  try {
    answer({ markup: renderMarkdown(text, base) })
  } catch (error) {
    answer({ problem: String(error) })
  }
})
answer({})
