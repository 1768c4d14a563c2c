// The application without a framework: it holds the connection from its start.
import { sse } from './app';

const user = new URLSearchParams(location.search).get('user');
if (user === 'null') sse.setUser(null);
else if (user !== null) sse.setUser(user);
sse.acquire();
