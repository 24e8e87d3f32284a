'use strict';

/** Markup that is safe to send: made only by `html` below. */
class Html {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/**
 * Template tag: what stands in the template is markup, whatever is inserted is text and gets escaped, in an
 * element as in a quoted attribute. Only the result of another `html` is inserted as it is. Arrays are
 * joined; null, undefined and false insert nothing.
 *
 * @returns {Html}
 */
function html(strings, ...values) {
  const text = strings.reduce((before, string, index) => before + markup(values[index - 1]) + string);
  return new Html(text);
}

function markup(value) {
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(markup).join('');
  if (value === null || value === undefined || value === false) return '';
  return escapeText(String(value));
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeText(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

module.exports = { html };
