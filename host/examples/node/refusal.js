/**
 * An import refuses a call: a case of the interface's error variant, and what it carries. jco hands over `payload`; an
 * exception without one would cross into the component and leave it with its stack where it was.
 */
export class Refusal extends Error {
  constructor(tag, val) {
    super(tag);
    this.payload = { tag, val };
  }
}
