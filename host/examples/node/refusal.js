/**
 * A refusal of a call by an import: a case of the interface's error variant, with its value. jco passes `payload` on. An
 * exception without it would cross into the component and leave its stack where it was.
 */
export class Refusal extends Error {
  constructor(tag, val) {
    super(tag);
    this.payload = { tag, val };
  }
}
