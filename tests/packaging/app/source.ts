// The class alone, in the place of the browser's own.
import { EventSource } from 'tinysse/eventsource';

const seen = document.createElement('output');
document.body.append(seen);
const source = new EventSource('/events');
source.addEventListener('projects', ({ type, data }) => {
  seen.textContent = `${type} ${(JSON.parse(data) as { id: number }).id}`;
});
