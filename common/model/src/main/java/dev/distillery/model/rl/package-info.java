/**
 * The arithmetic of reinforcement learning from rewards, on plain arrays: divergences, controllers,
 * advantages, losses of one token, rules for scores. Nothing here knows a model.
 *
 * <p>May use: core.random, model.nn.
 */
@NullMarked
package dev.distillery.model.rl;

import org.jspecify.annotations.NullMarked;
