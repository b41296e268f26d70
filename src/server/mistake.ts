/** What the operator has to put right, in one line; the trace would tell nothing more. */
export class Mistake extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Mistake'
  }
}
