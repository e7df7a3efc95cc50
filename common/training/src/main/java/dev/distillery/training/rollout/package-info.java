/**
 * Reinforcement learning on answers that the policy samples itself: prompts, rollouts, rewards,
 * PPO's update and its critic-free kin, as steps of {@code training.run}. The arithmetic lies in
 * {@code model.rl}, the loss in {@code model.train}.
 *
 * <p>May be relied on from outside this library: {@link
 * dev.distillery.training.rollout.RewardFunction} and {@link
 * dev.distillery.training.rollout.Sampled}.
 *
 * <p>May use: core.dialogue, core.format, core.random, core.run, core.teacher, model.format,
 * model.nn, model.rl, model.sample, model.tokenizer, model.train, spark.job, spark.warehouse,
 * training.card, training.reward, training.run, training.tokens.
 */
@NullMarked
package dev.distillery.training.rollout;

import org.jspecify.annotations.NullMarked;
