import { startChat } from './parts/chat.js';
import { startEcho } from './parts/echo.js';
import { startFeed } from './parts/feed.js';
import { startGame } from './parts/game.js';
import { startJob } from './parts/job.js';
import { startLayers } from './parts/layers.js';

startGame();
startFeed();
startChat();
startJob();
startEcho();
startLayers();
