/**
 * Reinforcement learning: a student learns from rewards for what it answers. Updates are
 * common/training's.
 *
 * <p>May use: core.dialogue, core.format, core.run, model.format, model.rl, model.sample,
 * model.tokenizer, model.train, spark.job, spark.warehouse, training.card, training.rollout,
 * training.run, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.ppo;

import org.jspecify.annotations.NullMarked;
