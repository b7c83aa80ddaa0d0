/* SPDX-License-Identifier: Apache-2.0 */
/* Floating point in registers: five bodies under gravity, semi-implicit Euler. */
#include <math.h>
#include <stdio.h>

enum {
    BODIES = 5,
    STEPS = 4000000
};
struct body {
    double x, y, z, vx, vy, vz, mass;
};

static void step(struct body *bodies, double dt)
{
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            struct body *p = &bodies[i], *q = &bodies[j];
            double dx = p->x - q->x, dy = p->y - q->y, dz = p->z - q->z;
            double square = dx * dx + dy * dy + dz * dz + 0.01;
            double pull = dt / (square * sqrt(square));
            p->vx -= dx * q->mass * pull, p->vy -= dy * q->mass * pull,
                p->vz -= dz * q->mass * pull;
            q->vx += dx * p->mass * pull, q->vy += dy * p->mass * pull,
                q->vz += dz * p->mass * pull;
        }
    }
    for (int i = 0; i < BODIES; i++) {
        struct body *p = &bodies[i];
        p->x += dt * p->vx, p->y += dt * p->vy, p->z += dt * p->vz;
    }
}

int main(void)
{
    struct body bodies[BODIES];
    for (int i = 0; i < BODIES; i++)
        bodies[i] = (struct body){ i * 3.0,       i % 2 * 2.0, i % 3 * 1.5,  0.1 * i,
                                   0.2 - 0.1 * i, 0.05,        1.0 / (1 + i) };
    for (int i = 0; i < STEPS; i++)
        step(bodies, 0.001);
    printf("nbody %.9f %.9f\n", bodies[0].x, bodies[4].vy);
    return 0;
}
