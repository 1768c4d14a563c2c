// Tests of the warning about types that a native stream cannot receive.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { warnOfPatterns } from '../../js/client/unnamed.js';

const warn = vi.fn();

beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(warn));
afterEach(() => void warn.mockReset());

test('patterns on a plain server are named once, with the address and what to do', () => {
  warnOfPatterns(['projects', 'compute.*', '*', 'compute.*'], 'https://app.example/events');
  expect(warn).toHaveBeenCalledOnce();
  const [text] = warn.mock.calls[0] as [string];
  for (const part of ["'compute.*', '*' cannot", 'https://app.example/events', "transport: 'fetch'"]) {
    expect(text).toContain(part);
  }
  expect(text).not.toContain('projects');
});

test('names alone need no warning', () => {
  warnOfPatterns(['projects', 'message'], 'https://app.example/events');
  expect(warn).not.toHaveBeenCalled();
});
