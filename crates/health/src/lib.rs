//! Health checks of a load balancer's targets.
